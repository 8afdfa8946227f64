"""Composition root: the only package that knows concrete classes and connects them."""
