"""The generic CRUD platform; knows no food."""
