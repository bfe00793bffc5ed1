export const describeRoutes = (): string => '';
