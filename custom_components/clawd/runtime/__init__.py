"""Parts of the runtime data of an entry."""
