import Testing

@testable import KafkaWire

@Suite("Frames whose record batches stay in their own memory")
struct RequestFrameTests {
    private func request(_ sizes: [Int]) -> ProduceRequest {
        ProduceRequest(
            acks: -1, timeoutMs: 1,
            topicData: [
                ProduceRequest.TopicData(
                    name: "t",
                    partitionData: sizes.enumerated().map { index, size in
                        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ index) }
                        return ProduceRequest.PartitionData(index: Int32(index), records: ByteSlice(bytes))
                    })
            ])
    }

    /// The bytes from an offset on, as the socket gets them.
    private func bytes(of frame: RequestFrame, from offset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        unsafe frame.bytes.withUnsafeBytes { base in
            unsafe frame.forEachPiece(from: offset, in: base) { piece in
                unsafe bytes.append(contentsOf: piece)
                return true
            }
        }
        return bytes
    }

    @Test(
        "the pieces are the bytes of the frame in one piece", arguments: [[], [10], [5000], [10, 5000, 4096, 3, 9000]])
    func pieces(sizes: [Int]) throws {
        let request = request(sizes)
        for version in ProduceRequest.versions {
            let whole = try request.frame(version: version, correlationID: 7, clientID: "me")
            let frame = try request.requestFrame(version: version, correlationID: 7, clientID: "me")
            #expect(frame.byteCount == whole.count)
            #expect(frame.attachments.count == sizes.filter { $0 >= 4096 }.count)
            #expect(frame.contiguous().bytes == whole)
            #expect(bytes(of: frame, from: 0) == whole)
        }
    }

    @Test("a write can continue at any byte")
    func offsets() throws {
        let frame = try request([4096, 4096]).requestFrame(version: 9, correlationID: 7, clientID: nil)
        let whole = frame.contiguous().bytes
        for offset in stride(from: 0, through: whole.count, by: 13) {
            #expect(bytes(of: frame, from: offset) == Array(whole[offset...]))
        }
    }
}
