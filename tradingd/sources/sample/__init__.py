"""Real daily bars out of the installed `bokeh-sampledata` package: no network, no folder."""
