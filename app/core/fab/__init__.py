"""Everything that touches Flask-AppBuilder's classes. Views outside use `EntityView` and `Page` only."""
