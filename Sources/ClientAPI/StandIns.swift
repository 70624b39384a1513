import HTTPSupport
import HTTPTypes
import Hummingbird
import Primitives

/// Plain surfaces for accounts without a picture of their own: clients crash on a null and show a broken picture for
/// a 404. Paper and card, in sRGB.
enum StandIn: String, Sendable, CaseIterable {
  case avatar, header

  var path: String { "/api/atelier/v1/\(rawValue).png" }

  /// PNG with one palette entry: 96 x 96 and 300 x 100 px.
  private var text: String {
    switch self {
    case .avatar:
      """
      iVBORw0KGgoAAAANSUhEUgAAAGAAAABgAQMAAADYVuV7AAAAA1BMVEW4sqfydmgDAAAAEklEQVR42mNgGAWjYBSMguEJAATgAAH4\
      jcwqAAAAAElFTkSuQmCC
      """
    case .header:
      """
      iVBORw0KGgoAAAANSUhEUgAAASwAAABkAQMAAAAGz5+DAAAAA1BMVEXd2M9gEQuPAAAAG0lEQVR42u3BgQAAAADDoPlT3+AEVQEA\
      AADPAA88AAEzU3p5AAAAAElFTkSuQmCC
      """
    }
  }

  var route: Route {
    Route(.get, path, .open) { _ in
      var response = Response.bytes(Base64.decode(text) ?? [], type: "image/png")
      response.headers[.cacheControl] = "public, max-age=86400"
      return response
    }
  }
}
