"""What every source over a network shares: pacing, retries, tasks and the words for trouble.

No vendor's name belongs here, and no vendor's client is imported here.
"""
