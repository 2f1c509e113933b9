import Worker

KilnProgram.main()
