export const describeApi = (version: string): unknown => ({openapi: '3.1.0', info: {title: 'Colonies', version}});
