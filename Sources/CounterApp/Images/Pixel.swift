/// An image of one transparent pixel.
enum Pixel {
  /// The image as a GIF (https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
  static let bytes: [UInt8] = [
    // GIF89a, 1 by 1 pixels, a palette of 2 colours.
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0,
    // The palette.
    0, 0, 0, 0xFF, 0xFF, 0xFF,
    // The first colour is transparent.
    0x21, 0xF9, 4, 1, 0, 0, 0, 0,
    // The image fills the screen.
    0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0,
    // Its one pixel, compressed, and the end.
    2, 2, 0x44, 1, 0, 0x3B,
  ]
}
