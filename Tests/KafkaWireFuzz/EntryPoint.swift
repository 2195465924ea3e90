import Foundation
import KafkaWire

/// The function that libFuzzer calls with each input; see scripts/fuzz.sh. A finding ends the process, so that
/// libFuzzer records the input.
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
            throw FuzzFinding("an input of \(count) bytes took \(peak) bytes of memory")
        }
    } catch {
        fatalError("\(error)")
    }
    return 0
}

/// The fuzzers; `KAFKAWIRE_FUZZER` selects one.
enum Fuzzer: String {
    case responses
    case records
    case conversations

    static let chosen = Fuzzer(rawValue: ProcessInfo.processInfo.environment["KAFKAWIRE_FUZZER"] ?? "") ?? .responses

    /// The memory limit in bytes for an input of `count` bytes: a constant, plus a multiple of `count`.
    func memoryBound(of count: Int) -> Int {
        switch self {
        // Each of a few nested arrays reserves memory for up to 1024 elements.
        case .responses: 1 << 20 + 64 * count
        // The client and the broker, independent of the input. Includes threads that end late.
        case .conversations: 64 << 20
        // A few batches at a time in twice their size limit, plus the codecs' own memory.
        case .records: 4 * RecordFuzzer.maximumInflatedBytes + 1 << 20 + 8 * count
        }
    }
}
