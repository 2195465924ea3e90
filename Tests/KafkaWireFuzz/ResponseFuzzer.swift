import KafkaWire

/// Decodes arbitrary bytes as a response of any API and version, or as a message between members of a classic group.
///
/// The decoder must return a value or throw an error. A decoded response, encoded again, must not be longer than the
/// input, and must decode to the same value.
package enum ResponseFuzzer {
    /// A seed: the indexes of the API and the version, then the frame without its length.
    package static func input(_ key: APIKey, version: Int16, frame: some Collection<UInt8>) -> [UInt8] {
        let index = APIKey.allCases.firstIndex(of: key) ?? 0
        return [UInt8(index), UInt8(version - key.request.versions.lowerBound)] + frame
    }

    /// - Returns: Whether the bytes were decoded.
    /// - Throws: `FuzzFinding`
    @discardableResult
    package static func run(_ input: ByteSlice) throws(FuzzFinding) -> Bool {
        guard input.count >= 2 else { return false }
        let bytes = Array(input.slice(0..<2))
        let index = Int(bytes[0])
        let version = Int(bytes[1])
        let frame = input.slice(2..<input.count)
        switch index % (APIKey.allCases.count + 2) {
        case APIKey.allCases.count: return (try? ConsumerProtocolSubscription.decode(frame)) != nil
        case APIKey.allCases.count + 1: return (try? ConsumerProtocolAssignment.decode(frame)) != nil
        case let index:
            let request = APIKey.allCases[index].request
            let place = version % request.versions.count
            return try check(request, request.versions.lowerBound + Int16(place), frame)
        }
    }

    private static func check<Request: KafkaRequest>(
        _: Request.Type, _ version: Int16, _ frame: ByteSlice
    ) throws(FuzzFinding) -> Bool {
        guard let response = try? Request.decodeResponse(frame, version: version) else { return false }
        let name = "\(Request.apiKey.name) version \(version)"
        // The decoder skips the header's tags, so encode the value after an empty header.
        var header: [UInt8] = [0, 0, 0, 0]
        if Request.hasFlexibleResponseHeader(version) { header.append(0) }
        var writer = WireWriter(isFlexible: Request.isFlexible(version))
        response.encode(to: &writer, version: version)
        guard let written = try? writer.finish() else { throw FuzzFinding("\(name): the value cannot be encoded") }
        guard header.count + written.count <= frame.count else {
            throw FuzzFinding("\(name): \(frame.count) bytes are encoded as \(header.count + written.count) bytes")
        }
        let again = try? Request.decodeResponse(ByteSlice(header + written), version: version)
        guard again == response else { throw FuzzFinding("\(name): the value decodes to another value after encoding") }
        return true
    }
}

/// A violated rule that no input may cause.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
