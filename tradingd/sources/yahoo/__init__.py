"""Yahoo Finance, unofficial: daily bars with their splits taken out again, and actions."""
