"""From publisher to archive and landed Parquet: decode, type, add lineage; never interpret."""
