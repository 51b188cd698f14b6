// Names of the versions that are published side by side, the newest first: docs/versions.py writes
// them here.
globalThis.clipxaiVersions = [];
