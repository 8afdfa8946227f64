"""Self-contained HTML pages of plots: document, pieces, figures. Nothing of what is plotted."""
