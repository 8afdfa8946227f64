"""The kinds of features, by what they look at; batch and live computation beside each other."""
