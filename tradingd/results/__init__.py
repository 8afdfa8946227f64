"""What a run leaves behind: its folder, tables, metrics, manifest and tear sheet.

Knows rows and files only; the engine, the gate and the cost models are never imported here.
"""
