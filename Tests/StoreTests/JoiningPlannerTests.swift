import Model
import Persistence
import Primitives
import Store
import Testing

/// People on their way in, their links, and their apps' subscriptions: every statement finds its rows by an index.
@Suite struct JoiningPlannerTests {
  @Test func `requests, links, invitations and subscriptions are found by what they are asked by`() async throws {
    let scratch = try await Scratch()
    let scans = try await scratch.write { tx -> [String] in
      let author = scratch.account("author")
      let far = scratch.account("far", host: "paper.test")
      try tx.insert(author)
      try tx.insert(far)
      try tx.insert(
        User(accountID: author.id, email: "a@mail.test", passwordHash: "x", role: .artist, createdAt: start))
      try tx.insert(
        AccessToken(
          id: scratch.id(), secretHash: "t", accountID: author.id, application: "a", scopes: "push", createdAt: start))
      let explaining = Explaining(tx)
      try joining(explaining, scratch, author)
      try pushing(explaining, scratch, author, far)
      return explaining.scans(allowing: [])
    }
    // The list of blocked hosts is read whole, for the operator.
    #expect(scans.filter { !$0.contains("SELECT host FROM blocked_mail_hosts ORDER BY host") } == [])
  }

  private func joining(_ tx: Explaining, _ scratch: Scratch, _ author: Account) throws {
    let address = try #require(EmailAddress("a@sub.mail.test"))
    let asked = SignUp(
      id: scratch.id(), username: "mika", email: "a@sub.mail.test", passwordHash: "x", reason: "", locale: "en",
      tokenHash: "p", createdAt: start)
    try tx.insert(asked, address: address)
    #expect(try tx.signUp(asked.id) == asked)
    #expect(try tx.signUp(username: "mika") == asked && tx.signUp(tokenHash: "p") == asked)
    #expect(try tx.signUp(email: address) == asked)
    #expect(try tx.signUps(in: .unconfirmed, limit: 5) == [asked])
    try tx.setState(.waiting, of: asked.id)
    try tx.deleteSignUps(in: .unconfirmed, before: start.adding(.seconds(1)))
    #expect(try tx.signUp(asked.id)?.state == .waiting)
    try tx.insertMailLink(hash: "h", .confirmSignUp, for: asked.id, until: start)
    #expect(try tx.mailLink(hash: "h", .confirmSignUp, at: start, of: SignUp.self) == nil, "its time has passed")
    let earlier = start.adding(.seconds(-1))
    #expect(try tx.mailLink(hash: "h", .confirmSignUp, at: earlier, of: SignUp.self) == asked.id)
    #expect(try tx.mailLink(hash: "h", .resetPassword, at: earlier, of: SignUp.self) == nil, "for something else")
    try tx.deleteMailLinks(.confirmSignUp, for: asked.id)
    try tx.deleteMailLinks(expiredBefore: start)
    try tx.delete(signUp: asked.id)
    try tx.insertInvitation(hash: "i", id: 5, by: author.id, until: start)
    #expect(try tx.isInvitation(hash: "i", at: earlier))
    #expect(try tx.takeInvitation(hash: "i", at: earlier) && !tx.takeInvitation(hash: "i", at: earlier))
    try tx.deleteInvitations(expiredBefore: start)
    try tx.blockMailHost("mail.test", at: start)
    #expect(try tx.isMailBlocked(address))
    #expect(try tx.blockedMailHosts() == ["mail.test"])
    #expect(try tx.unblockMailHost("mail.test") && !tx.isMailBlocked(address))
    let change = AddressChange(
      id: scratch.id(), accountID: author.id, oldEmail: "a@mail.test", newEmail: "b@mail.test", createdAt: start)
    try tx.insert(change)
    #expect(try tx.addressChange(change.id) == change)
    #expect(try tx.settle(change.id, as: .done) && !tx.settle(change.id, as: .stopped))
    try tx.stopAddressChanges(of: author.id)
    try tx.setEmail(address, of: author.id)
    #expect(try tx.user(email: "A@sub.mail.test")?.accountID == author.id)
    #expect(try !tx.isDisabled(tokenHash: "t"))
  }

  private func pushing(_ tx: Explaining, _ scratch: Scratch, _ author: Account, _ far: Account) throws {
    let token = try #require(try tx.tokenID(hash: "t"))
    let subscription = PushSubscription(
      id: scratch.id(), tokenID: token, accountID: author.id, sealedToken: [1],
      endpoint: try #require(IRI("https://push.test/x")), publicKey: [4], secret: [5], isStandard: true,
      alerts: ["mention", "poll"], policy: .followed)
    try tx.put(subscription)
    try tx.put(subscription)
    #expect(try tx.pushSubscription(subscription.id) == subscription)
    #expect(try tx.pushSubscription(tokenHash: "t") == subscription)
    #expect(try tx.pushSubscriptions(of: author.id) == [subscription])
    #expect(try !tx.isMutedNotice(of: far.id, to: author.id))
    let notification = Model.Notification(
      id: scratch.id(), recipientID: author.id, kind: .follow, fromID: far.id, postID: nil, createdAt: start)
    try tx.insert(notification)
    #expect(try tx.notification(notification.id) == notification)
    try tx.revokeEverything(of: author.id, at: start)
    #expect(try tx.pushSubscription(subscription.id) == nil)
    try tx.delete(pushSubscription: subscription.id)
  }
}
