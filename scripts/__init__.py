"""What the Makefile calls; none of it is needed by the installed studio."""
