// Accounts, posts, attachments, follows, decisions and job payloads: what the product is about, without storage.
// Knows neither SQL, nor HTTP, nor ActivityStreams.
