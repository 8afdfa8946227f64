"""Order books on disk: one column layout, whoever wrote it, and one reader for all of them."""
