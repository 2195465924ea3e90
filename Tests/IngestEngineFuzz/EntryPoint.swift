// Compiled only into the fuzzer's own program, since a test program contains the client's fuzzers.
#if FUZZER
    import Foundation

    /// Called by libFuzzer with each input; see scripts/fuzz.sh. A finding aborts the process, as libFuzzer expects.
    /// `INGEST_FUZZER` names the fuzzer.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
        do {
            try chosen.run(input)
        } catch {
            fatalError("\(error)")
        }
        return 0
    }

    private let chosen =
        ProcessInfo.processInfo.environment["INGEST_FUZZER"].flatMap { IngestFuzzer(rawValue: $0) } ?? .encoder
#endif
