"""Everything that is stored: settings, the connection, the tables and the thumbnail cache."""
