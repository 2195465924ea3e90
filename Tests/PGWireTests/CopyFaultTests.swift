import Testing

@testable import PGWire

/// Mistakes in the use of a buffer: seen before the rows are sent, and gone with the rows.
@Suite struct CopyFaultTests {
    private func fault(_ use: (inout CopyBuffer) -> Void) -> String? {
        var buffer = CopyBuffer()
        use(&buffer)
        return buffer.faultDescription
    }

    @Test func wholeRowsAreNoFault() {
        #expect(fault { _ in } == nil)
        #expect(
            fault {
                $0.beginRow(columns: 1)
                $0.appendNull()
                $0.beginRow(columns: 0)
            } == nil)
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
