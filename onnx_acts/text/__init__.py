"""What people read: tables, and what they meant where a name is nearly right."""
