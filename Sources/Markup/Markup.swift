// Hostile HTML and XML in, safe HTML and readings out, through libxml2.
//
// Owns the one place where foreign markup becomes ours, and the one where an author's plain text becomes markup.
// Never fetches, never loads a DTD, and must never know who wrote a text or who will read it.
