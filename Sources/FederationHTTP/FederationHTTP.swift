// The ActivityPub face: actors, inboxes, objects, WebFinger, NodeInfo.
