"""The use case: settings, lock -> plans -> wheels -> bundles. Knows no Poetry, no terminal."""
