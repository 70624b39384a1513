import Markup
import Model
import Persistence
import Primitives
import Store

extension ReadTransaction {
  /// An author's text as a post: links, mentions and tags made once. Mentions of accounts that are not known here
  /// stay text; look them up first with `unknownMentions(in:)`.
  package func draft(of text: String, on instance: Instance) throws -> PostDraft {
    var found: [WrittenMention: Account] = [:]
    for mention in writtenMentions(in: text) {
      if let account = try account(of: mention, on: instance) { found[mention] = account }
    }
    let composition = compose(text: text, mentions: found.mapValues(\.url), hashtagPage: instance.tagPages)
    var draft = PostDraft(text: text, content: composition.html.html)
    draft.tags = Array(Set(composition.hashtags.map { normalizedHashtag($0) })).sorted()
    draft.mentions = Array(Set(composition.mentions.compactMap { found[$0]?.id })).sorted()
    return draft
  }

  /// The people a text mentions who have to be asked for elsewhere before it is posted.
  package func unknownMentions(in text: String, on instance: Instance) throws -> [Handle] {
    try writtenMentions(in: text).compactMap { mention in
      guard let host = mention.host, host != instance.host, try account(of: mention, on: instance) == nil else {
        return nil
      }
      return Handle(username: mention.username, host: host)
    }
  }

  private func account(of mention: WrittenMention, on instance: Instance) throws -> Account? {
    try account(username: mention.username, host: mention.host == instance.host ? nil : mention.host)
  }
}
