"""CLIP itself: what it is and how it is loaded. No explanation lives here."""
