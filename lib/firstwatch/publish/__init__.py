"""What a reader sees: a record's page, made from its journal."""
