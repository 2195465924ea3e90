import KafkaWire

/// Decodes any bytes as a response of any API at any version, or as what the members of a classic group tell each other.
///
/// Whatever the bytes are, the decoder has to give a value or an error. What it gives has to be no more than what the
/// bytes carry: written again it isn't longer, and reads as the same.
package enum ResponseFuzzer {
    /// A seed: the API and the version by their places, then the frame without its length.
    package static func input(_ key: APIKey, version: Int16, frame: some Collection<UInt8>) -> [UInt8] {
        let index = APIKey.allCases.firstIndex(of: key) ?? 0
        return [UInt8(index), UInt8(version - key.request.versions.lowerBound)] + frame
    }

    /// - Returns: Whether the bytes were what they were decoded as.
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
        // The header's tags are skipped, whatever they are: what is written again goes behind an empty header.
        var header: [UInt8] = [0, 0, 0, 0]
        if Request.hasFlexibleResponseHeader(version) { header.append(0) }
        var writer = WireWriter(isFlexible: Request.isFlexible(version))
        response.encode(to: &writer, version: version)
        guard let written = try? writer.finish() else { throw FuzzFinding("\(name): what was read can't be written") }
        guard header.count + written.count <= frame.count else {
            throw FuzzFinding("\(name): \(frame.count) bytes became \(header.count + written.count)")
        }
        let again = try? Request.decodeResponse(ByteSlice(header + written), version: version)
        guard again == response else { throw FuzzFinding("\(name): what was written reads as something else") }
        return true
    }
}

/// Something that no input may lead to.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
