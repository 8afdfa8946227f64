"""One class per limit, named as its configuration key; `table.LIMITS` lists them all."""
