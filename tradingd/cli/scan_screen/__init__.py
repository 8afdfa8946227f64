"""The full screen: the scan's table above, the recorder below."""
