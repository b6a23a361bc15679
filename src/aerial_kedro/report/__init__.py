"""The report: what was mapped and how far it can be trusted, as one page to hand on."""
