"""Import by template for every entity: reading the file, trying it, writing it in one transaction, undoing it."""
