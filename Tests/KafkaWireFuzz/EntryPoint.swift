import Foundation
import KafkaWire

/// What libFuzzer calls with each input: see scripts/fuzz.sh. Whatever must not be ends the process, which is how
/// libFuzzer learns of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = unsafe ByteSlice(UnsafeBufferPointer(start: data, count: count))
    do {
        let peak: Int?
        switch Fuzzer.chosen {
        case .responses: peak = try AllocationMeter.measure { () throws(FuzzFinding) in try ResponseFuzzer.run(input) }
        case .records: peak = try AllocationMeter.measure { () throws(FuzzFinding) in try RecordFuzzer.run(input) }
        case .conversations:
            let bytes = Array(input)
            peak = AllocationMeter.measure {
                // libFuzzer's own thread, which may block.
                let isOver = DispatchSemaphore(value: 0)
                Task {
                    try? await ConversationFuzzer.run(bytes)
                    isOver.signal()
                }
                isOver.wait()
            }
        }
        if let peak, peak > Fuzzer.chosen.memoryBound(of: count) {
            throw FuzzFinding("\(count) bytes took \(peak) bytes of memory")
        }
    } catch {
        fatalError("\(error)")
    }
    return 0
}

/// The fuzzers, of which `KAFKAWIRE_FUZZER` names one.
enum Fuzzer: String {
    case responses
    case records
    case conversations

    static let chosen = Fuzzer(rawValue: ProcessInfo.processInfo.environment["KAFKAWIRE_FUZZER"] ?? "") ?? .responses

    /// How much memory an input of `count` bytes may take: so much for each byte, beside what doesn't depend on them.
    func memoryBound(of count: Int) -> Int {
        switch self {
        // The first element of each of a few arrays that lie in each other reserves memory for up to 1024 of them.
        case .responses: 1 << 20 + 64 * count
        // Client and broker, whatever the numbers are. Threads that end late count too.
        case .conversations: 64 << 20
        // A few batches at once in twice the memory that one may become, and the codecs' own memory.
        case .records: 4 * RecordFuzzer.maximumInflatedBytes + 1 << 20 + 8 * count
        }
    }
}
