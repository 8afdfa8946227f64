"""Exchange sessions, half days included; the only user of `exchange_calendars`."""
