import HTTPSupport
import Hummingbird
import Primitives

extension ClientAPI {
  /// Every route of the API. What is not in here answers 404.
  package var routes: [Route] {
    let tables = [
      instanceRoutes,
      oauthRoutes,
      joiningRoutes,
      pushRoutes,
      accountRoutes,
      followRoutes,
      statusRoutes,
      conversationRoutes,
      embedRoutes,
      quoteRoutes,
      pollRoutes,
      shelfRoutes,
      asideRoutes,
      listRoutes,
      mediaRoutes,
      seriesRoutes,
      policyRoutes,
      filterRoutes,
      tagRoutes,
      scheduledRoutes,
      noticeRoutes,
      recommendingRoutes,
      aboutRoutes,
      pinRoutes,
      profileRoutes,
      featuredTagRoutes,
      reportRoutes,
      streamRoutes,
      staffRoutes,
      describingRoutes,
      quietRoutes,
    ]
    return tables.flatMap(\.self) + StandIn.allCases.map(\.route)
  }

  private var instanceRoutes: [Route] {
    [
      Route(.get, "/api/v1/instance", .open, instanceV1),
      Route(.get, "/api/v2/instance", .open, instanceV2),
      Route(.get, "/api/v1/custom_emojis", .open, emptyList),
      Route(.get, "/api/v1/announcements", .open, emptyList),
      Route(.get, "/api/v1/trends/tags", .open, emptyList),
      Route(.get, "/api/v1/trends/statuses", .open, emptyList),
      Route(.get, "/api/v1/trends/links", .open, emptyList),
      Route(.get, "/api/v1/preferences", .scope("read:accounts"), preferences),
    ]
  }

  private var accountRoutes: [Route] {
    [
      Route(.get, "/api/v1/accounts/verify_credentials", .scope("read:accounts"), verifyCredentials),
      Route(.get, "/api/v1/accounts/lookup", .optional("read:accounts"), lookupAccount),
      Route(.get, "/api/v1/accounts/relationships", .scope("read:follows"), relationships),
      Route(.get, "/api/v1/accounts/:id", .optional("read:accounts"), showAccount),
      Route(.get, "/api/v1/accounts/:id/statuses", .optional("read:statuses"), accountStatuses),
      Route(.get, "/api/v1/accounts/:id/followers", .optional("read:accounts"), followers),
      Route(.get, "/api/v1/accounts/:id/following", .optional("read:accounts"), following),
    ]
  }

  private var followRoutes: [Route] {
    [
      Route(.post, "/api/v1/accounts/:id/follow", .scope("write:follows"), follow),
      Route(.post, "/api/v1/accounts/:id/unfollow", .scope("write:follows"), unfollow),
      Route(.post, "/api/v1/accounts/:id/remove_from_followers", .scope("write:follows"), removeFollower),
      Route(.post, "/api/v1/accounts/:id/block", .scope("write:blocks"), block),
      Route(.post, "/api/v1/accounts/:id/unblock", .scope("write:blocks"), unblock),
      Route(.get, "/api/v1/follow_requests", .scope("read:follows"), followRequests),
      Route(.post, "/api/v1/follow_requests/:id/authorize", .scope("write:follows"), authorizeFollow),
      Route(.post, "/api/v1/follow_requests/:id/reject", .scope("write:follows"), rejectFollow),
    ]
  }

  private var statusRoutes: [Route] {
    [
      Route(.post, "/api/v1/statuses", .scope("write:statuses"), createStatus),
      Route(.get, "/api/v1/statuses", .optional("read:statuses"), showStatuses),
      Route(.get, "/api/v1/statuses/:id", .optional("read:statuses"), showStatus),
      Route(.put, "/api/v1/statuses/:id", .scope("write:statuses"), editStatus),
      Route(.delete, "/api/v1/statuses/:id", .scope("write:statuses"), bucket: .deletions, deleteStatus),
      Route(.get, "/api/v1/statuses/:id/source", .scope("read:statuses"), statusSource),
      Route(.get, "/api/v1/statuses/:id/history", .optional("read:statuses"), statusHistory),
      Route(.get, "/api/v1/statuses/:id/context", .optional("read:statuses"), statusContext),
      Route(.get, "/api/v1/statuses/:id/favourited_by", .optional("read:accounts"), favouritedBy),
      Route(.get, "/api/v1/statuses/:id/reblogged_by", .optional("read:accounts"), boostedBy),
      Route(.post, "/api/v1/statuses/:id/favourite", .scope("write:favourites"), favourite),
      Route(.post, "/api/v1/statuses/:id/unfavourite", .scope("write:favourites"), unfavourite),
      Route(.post, "/api/v1/statuses/:id/reblog", .scope("write:statuses"), boost),
      Route(.post, "/api/v1/statuses/:id/unreblog", .scope("write:statuses"), unboost),
    ]
  }

  private var listRoutes: [Route] {
    [
      Route(.get, "/api/v1/timelines/home", .scope("read:statuses"), homeTimeline),
      Route(.get, "/api/v1/timelines/public", .optional("read:statuses"), publicTimeline),
      Route(.get, "/api/v1/timelines/tag/:tag", .optional("read:statuses"), tagTimeline),
      Route(.get, "/api/v1/notifications", .scope("read:notifications"), notifications),
      Route(.get, "/api/v1/notifications/:id", .scope("read:notifications"), showNotification),
      Route(.get, "/api/v2/search", .optional("read:search"), search),
    ]
  }

  private var seriesRoutes: [Route] {
    [
      Route(.get, "/api/atelier/v1/accounts/:id/series", .optional("read:statuses"), accountSeries),
      Route(.post, "/api/atelier/v1/series", .scope("write:statuses"), createSeries),
      Route(.get, "/api/atelier/v1/series/:id", .optional("read:statuses"), showSeries),
      Route(.put, "/api/atelier/v1/series/:id", .scope("write:statuses"), changeSeries),
      Route(.delete, "/api/atelier/v1/series/:id", .scope("write:statuses"), deleteSeries),
      Route(.get, "/api/atelier/v1/series/:id/statuses", .optional("read:statuses"), seriesStatuses),
      Route(.post, "/api/atelier/v1/series/:id/statuses", .scope("write:statuses"), addToSeries),
      Route(.delete, "/api/atelier/v1/series/:id/statuses", .scope("write:statuses"), removeFromSeries),
      Route(.post, "/api/atelier/v1/series/:id/order", .scope("write:statuses"), orderSeries),
    ]
  }

  private var mediaRoutes: [Route] {
    [
      Route(.post, "/api/v2/media", .scope("write:media"), limit: Limits.uploadForm, bucket: .media, createMedia),
      Route(.post, "/api/v1/media", .scope("write:media"), limit: Limits.uploadForm, bucket: .media, createMedia),
      Route(.get, "/api/v1/media/:id", .scope("write:media"), showMedia),
      Route(.put, "/api/v1/media/:id", .scope("write:media"), describeMedia),
      Route(.delete, "/api/v1/media/:id", .scope("write:media"), deleteMedia),
    ]
  }
}
