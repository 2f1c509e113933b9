import JobQueue
import Testing

@Test func `the library says its version`() {
    #expect(jobQueueVersion.split(separator: ".").count == 3)
}
