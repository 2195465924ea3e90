import Testing

@testable import PGWire

/// Misuses of a buffer: detected before the rows are sent, and gone once the rows are removed.
@Suite struct CopyFaultTests {
    private func fault(_ use: (inout CopyBuffer) -> Void) -> String? {
        var buffer = CopyBuffer()
        use(&buffer)
        return buffer.faultDescription
    }

    @Test func completeRowsHaveNoFault() {
        #expect(fault { _ in } == nil)
        #expect(
            fault {
                $0.beginRow(columns: 1)
                $0.appendNull()
                $0.beginRow(columns: 0)
            } == nil)
    }

    /// Each of these once reserved less than it wrote, or claimed room that it didn't have. The address sanitizer
    /// shows with the same calls that nothing is written outside the memory.
    @Test(arguments: [-1, -2, .min, CopyBuffer.maximumFieldSize + 1, Int.max - 1, .max])
    func rowsOfImpossibleSize(size: Int) {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1, reserving: size)
        buffer.append(int8: 1)
        #expect(buffer.faultDescription != nil)
        #expect(buffer.byteCount == 14)
        var fixed = CopyBuffer()
        fixed.appendFixedRow(columns: 1, byteCount: size) { _ in Issue.record("there is no room to write to") }
        #expect(fixed.faultDescription != nil)
        #expect(fixed.byteCount == 0)
        var reserved = CopyBuffer()
        reserved.reserve(min(size, 0))
        reserved.append(int8: 1)
        #expect(reserved.byteCount == 12)
    }

    @Test func wrongNumberOfValues() {
        #expect(fault { $0.beginRow(columns: 1) } != nil)
        #expect(
            fault {
                $0.beginRow(columns: 1)
                $0.appendNull()
                $0.appendNull()
            } != nil)
        let hidden: String? = fault {
            $0.beginRow(columns: 2)
            $0.appendNull()
            $0.beginRow(columns: 1)
            $0.appendNull()
        }
        #expect(hidden != nil)
        #expect(fault { $0.beginRow(columns: -1) } != nil)
        #expect(fault { $0.beginRow(columns: 1601) } != nil)
        #expect(fault { $0.appendFixedRow(columns: 1, byteCount: 8) { $0.appendNull() } } != nil)
    }

    @Test func foreignMark() {
        var other = CopyBuffer()
        other.beginRow(columns: 0)
        let mark = other.mark()
        #expect(fault { $0.rollback(to: mark) } != nil)
    }

    @Test func faultsGoWithTheirRows() {
        let wrong: (inout CopyBuffer) -> Void = { buffer in
            buffer.beginRow(columns: 2)
            buffer.beginRow(columns: 0)
        }
        #expect(fault(wrong) != nil)
        #expect(
            fault {
                let mark = $0.mark()
                wrong(&$0)
                $0.rollback(to: mark)
            } == nil)
        #expect(
            fault {
                wrong(&$0)
                $0.removeAll()
            } == nil)
    }
}
