"""Documents, and the programs that make tables, pictures and pages of the site."""
