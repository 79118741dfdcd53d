"""The spool: what was accepted and is not settled yet (the Spool seam, twice)."""
