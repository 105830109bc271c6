"""The register: what was issued, for which vehicles, and how it stands. The only importer of SQLAlchemy."""
