//! Inventory × advisories → findings and gaps. Filled in by the matching work.
