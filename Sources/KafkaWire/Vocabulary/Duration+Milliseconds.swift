extension Duration {
    /// Whole milliseconds as a 32-bit number, as in the protocol; clamped to the range of `Int32`.
    package var asMilliseconds: Int32 { Int32(clamping: wholeMilliseconds) }

    /// Milliseconds without their fraction; clamped to the range of `Int64`.
    var wholeMilliseconds: Int64 {
        // A duration can have more seconds than its own `components` can represent.
        guard self < .seconds(Int64.max / 1000) else { return .max }
        guard self > .seconds(Int64.min / 1000) else { return .min }
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
