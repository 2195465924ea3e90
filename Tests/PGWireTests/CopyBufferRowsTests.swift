import Testing

@testable import PGWire

@Suite struct CopyBufferRowsTests {
    @Test func valuesCanBeAddedToARow() {
        var buffer = CopyBuffer()
        buffer.beginRow(columns: 1)
        buffer.append(int4: 1)
        let mark = buffer.mark()
        buffer.beginRow(columns: 2)
        buffer.append(int4: 2)
        buffer.appendNull()
        buffer.reopenRow(at: mark, adding: 1)
        let isOpen = buffer.hasOpenRow
        buffer.append(bool: true)
        let (fault, rows) = (buffer.faultDescription, buffer.rowCount)
        #expect(isOpen && fault == nil && rows == 2)
        let index = CopyRowIndex(buffer)
        let values = [buffer.values(ofRow: 0, index), buffer.values(ofRow: 1, index), buffer.values(ofRow: 2, index)]
        #expect(values == [[[0, 0, 0, 1]], [[0, 0, 0, 2], nil, [1]], []])
    }

    @Test func onlyTheLastCompleteRowCanBeReopened() {
        var buffer = CopyBuffer()
        let first = buffer.mark()
        buffer.beginRow(columns: 0)
        buffer.beginRow(columns: 0)
        buffer.reopenRow(at: first, adding: 1)
        let fault = buffer.faultDescription
        #expect(fault != nil)
        buffer.removeAll()
        let mark = buffer.mark()
        buffer.beginRow(columns: 1)
        buffer.reopenRow(at: mark, adding: 1)
        let openFault = buffer.faultDescription
        #expect(openFault != nil)
    }
}
