import MediaKit
import TestSupport
import Testing

@testable import Worker

@Suite struct ConfigurationFileTests {
    /// The problems of a file, without the folder that it lies in.
    private func problems(_ yaml: String) throws -> [String] {
        try loadConfiguration(yaml: yaml).problems.map { problem in
            let place = problem.place.split(separator: "/").last.map(String.init) ?? ""
            return "\(place) \(problem.message)"
        }
    }

    @Test func `Values are scalars or lists`() throws {
        let yaml = """
            # A comment
            worker:
              concurrency: 2
              kinds: [media.probe, media.transcode]
              queues: a, b
            http:
              enabled: yes
              corsOrigins:
                - https://app.example.com
            limits:
              duration: 1h
              outputSize: 2G
            """
        let configuration = try loadConfiguration(yaml: yaml).checked()
        #expect(configuration.worker.concurrency == 2 && configuration.worker.queues == ["a", "b"])
        #expect(configuration.worker.kinds == ["media.probe", "media.transcode"])
        #expect(configuration.http.isEnabled && configuration.http.corsOrigins == ["https://app.example.com"])
        #expect(configuration.limits.durationSeconds == 3600 && configuration.limits.outputBytes == 2_000_000_000)
    }

    @Test func `A file without settings is a file`() throws {
        for yaml in ["", "# nothing\n", "worker:\n", "worker:\n  concurrency:\n  name: ~\n"] {
            let loaded = try loadConfiguration(yaml: yaml)
            #expect(loaded.problems.isEmpty, "\(yaml): \(loaded.problems)")
            #expect(loaded.value.worker.concurrency == 4)
        }
    }

    @Test func `A key that is not known is told with its line and what may have been meant`() throws {
        #expect(
            try problems("worker:\n  concurency: 2\n")
                == ["kiln.yaml:2: worker.concurency is no setting; did you mean worker.concurrency?"])
        #expect(
            try problems("wroker:\n  concurrency: 2\n  name: a\n")
                == ["kiln.yaml:1: wroker is no setting; did you mean worker?"])
        #expect(
            try problems("WORKER_CONCURRENCY: 2\n")
                == ["kiln.yaml:1: WORKER_CONCURRENCY is no setting; did you mean worker.concurrency?"])
        #expect(
            try problems("http:\n  shutdownGrace: 20s\n")
                == ["kiln.yaml:2: http.shutdownGrace is no setting; did you mean worker.shutdownGrace?"])
        #expect(try problems("nothingLikeIt: 1\n").first?.contains("kiln config") == true)
    }

    @Test func `All of several problems are told, of the file's form and of values`() throws {
        let found = try problems(
            """
            worker:
              concurrency: 0
              concurency: 2
              kinds: [{a: b}]
            log: debug
            database:
              schema: {name: kiln}
            """)
        #expect(found.count >= 4, "\(found)")
        for line in [3, 4, 5, 7] { #expect(found.contains { $0.hasPrefix("kiln.yaml:\(line):") }, "\(found)") }
    }

    @Test func `A wrong value is told with its line and key`() throws {
        #expect(
            try problems("worker:\n  concurrency: 0\n")
                == [
                    "kiln.yaml:2: worker.concurrency is \"0\": give a whole number from 1 to 1024, or leave it out for 4"
                ])
    }

    @Test func `What is not YAML is told with its place, and without the text around`() throws {
        let broken = try problems("database:\n  url: \"postgresql://app:s3cr3t@db\n")
        #expect(broken.count == 1 && broken.first?.hasPrefix("kiln.yaml:") == true)
        #expect(broken.first?.contains("not YAML") == true && broken.first?.contains("s3cr3t") == false)
        #expect(try problems("worker: {name: a}\nworker: {name: b}\n").first?.contains("worker is given twice") == true)
        #expect(try problems("- 1\n- 2\n").first?.contains("sections") == true)
    }

    @Test func `A file that is not there is a problem`() throws {
        let loaded = ConfigurationLoader.load(
            environment: ["DATABASE_URL": "postgresql://app@db/app"], file: "/nowhere/kiln.yaml")
        #expect(loaded.problems.count == 1 && loaded.problems.first?.place == "/nowhere/kiln.yaml")
    }
}
