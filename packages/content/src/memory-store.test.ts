import { createMemoryStore } from './memory-store.ts';
import { testContentStore } from './testsuite.ts';

testContentStore('memory store', async () => createMemoryStore());
