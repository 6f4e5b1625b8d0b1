// Imported first by every child process: the kernel closes the channel however the parent dies.
process.once('disconnect', () => process.exit())
process.channel?.unref()
