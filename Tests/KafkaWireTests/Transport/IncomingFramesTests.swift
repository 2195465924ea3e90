import Testing

@testable import KafkaWire

@Suite("Frames from a stream of bytes")
struct IncomingFramesTests {
    /// A source of bytes in portions. Each read returns at most the rest of one portion.
    private final class Stream {
        private let portions: [ArraySlice<UInt8>]
        /// The portion to read from, and how much of it was read.
        private var place = (portion: 0, count: 0)

        init(_ portions: [ArraySlice<UInt8>]) {
            self.portions = portions
        }

        func read(into target: UnsafeMutableRawBufferPointer) -> Socket.Progress {
            guard place.portion < portions.count else { return .endOfStream }
            let rest = portions[place.portion].dropFirst(place.count)
            let count = min(rest.count, target.count)
            unsafe target.copyBytes(from: rest.prefix(count))
            place = count == rest.count ? (place.portion + 1, 0) : (place.portion, place.count + count)
            return .bytes(count)
        }
    }

    private static func frame(_ count: Int, seed: Int) -> [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        return length + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
    }

    /// Every frame of the stream, with their lengths.
    private func frames(_ portions: [ArraySlice<UInt8>]) -> [[UInt8]] {
        let stream = Stream(portions)
        var frames = IncomingFrames(pool: BufferPool(limit: 1 << 20))
        var found: [[UInt8]] = []
        while true {
            switch unsafe frames.next(reading: { unsafe stream.read(into: $0) }) {
            case .length(let length): frames.accept(length)
            case .frame(let frame): found.append([UInt8](frame))
            case .endOfStream, .wouldBlock, .failed, .tlsFailed: return found
            }
        }
    }

    private static let sizes = [4, 5, 4096, 4092, 4088, 4097, 9000, 4, 100_000, 17]
    private static let sent = sizes.enumerated().map { frame($1, seed: $0) }
    private static let expected = sent.map { Array($0.dropFirst(4)) }

    @Test("each frame separately")
    func whole() {
        #expect(frames(Self.sent.map { $0[...] }) == Self.expected)
    }

    @Test("all frames in one portion")
    func glued() {
        #expect(frames([Self.sent.flatMap { $0 }[...]]) == Self.expected)
    }

    @Test("portions of any size, including single bytes", arguments: [1, 2, 3, 5, 7, 4095, 4096, 4097])
    func portions(size: Int) {
        let bytes = Self.sent.flatMap { $0 }
        let portions = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
        #expect(frames(portions) == Self.expected)
    }

    @Test("a stream that ends within a frame gives the frames before it")
    func cutOff() {
        let bytes = Self.sent.flatMap { $0 }
        #expect(frames([bytes.dropLast()]) == Self.expected.dropLast())
        #expect(frames([[0, 0]]).isEmpty)
    }

    @Test("a read that would block is repeated later")
    func wouldBlock() {
        var frames = IncomingFrames(pool: BufferPool(limit: 0))
        var rest = Self.frame(6, seed: 3)
        var found: [[UInt8]] = []
        var blocked = 0
        while found.isEmpty {
            var hasRead = false
            let step = unsafe frames.next { target in
                if hasRead { return .wouldBlock }
                hasRead = true
                unsafe target.copyBytes(from: rest.prefix(1))
                rest.removeFirst()
                return .bytes(1)
            }
            switch step {
            case .length(let length): frames.accept(length)
            case .frame(let frame): found.append([UInt8](frame))
            case .wouldBlock: blocked += 1
            case .endOfStream, .failed, .tlsFailed: Issue.record("the stream ended")
            }
        }
        #expect(found == [Array(Self.frame(6, seed: 3).dropFirst(4))])
        #expect(blocked >= 8)
    }

    @Test("a failed read is reported")
    func failure() {
        var frames = IncomingFrames(pool: BufferPool(limit: 0))
        guard case .failed(let error) = unsafe frames.next(reading: { _ in .failed(104) }) else {
            Issue.record("no failure")
            return
        }
        #expect(error.code == 104)
    }
}
