"""Small tools that know nothing of trading: failures, atomic files, hashing, suggestions."""
